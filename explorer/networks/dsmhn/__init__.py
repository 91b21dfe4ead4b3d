"""DSMHN: pictures, videos and sentences as binary codes of one length (README.md)."""
