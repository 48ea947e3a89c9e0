"""A candidate version held against the champion, by intervals that may be looked at as often as one likes."""
