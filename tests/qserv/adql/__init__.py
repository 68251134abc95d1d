"""Tests of qserv.adql."""
