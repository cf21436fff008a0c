"""A language model as a writer: off the send path it fills a pool of templates, each of them checked."""
