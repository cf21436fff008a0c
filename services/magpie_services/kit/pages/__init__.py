"""Reports as HTML pages that need nothing beside them: style, pieces, small plots."""
