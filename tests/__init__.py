"""Tests of monitor; the folders mirror the package, and `servers` has the real servers they run against."""
