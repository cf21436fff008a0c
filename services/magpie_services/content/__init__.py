"""The content service: words for a push, every claim grounded in a catalogue field."""
