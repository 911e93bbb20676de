"""The bytes of audio, in an object store."""
