"""Paging: alerts in, one incident and one page to its owner out, and a resolve that always follows."""
