"""The layouts that come with Skyshard; `schema.layout` reads them."""
