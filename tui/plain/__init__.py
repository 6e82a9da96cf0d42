"""The plain mode: the whole product as sentences, numbered lines and questions."""
