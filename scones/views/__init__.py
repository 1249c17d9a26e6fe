"""Tables, pages and summaries: what a result looks like, apart from how it is computed."""
