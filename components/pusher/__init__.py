"""Publisher: a blessed model becomes the newest version in the serving directory."""
