"""Files to arrays: which files are media (``item``); images upright, reduced and in RGB (``image``, ``pixels``).

Of videos what they say of themselves (``video``), their shots from one pass through the file (``shots``) and frames of
any stretch (``sampling``); below them the opened file (``footage``), its frames as pixels (``frame_pixels``), which
moments frames are taken from (``moments``) and where cuts are (``takes``). ``writing`` makes videos.
"""
