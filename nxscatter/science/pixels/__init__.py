"""From pixels to profiles: masks, gaps, stages of image processing, single-pass sums over frames."""
