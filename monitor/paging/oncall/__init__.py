"""Who is on call, who is next, and what can wait until morning. Pure: the time is an argument."""
