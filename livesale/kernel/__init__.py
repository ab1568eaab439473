"""Words every room shares. No I/O, no clock read, no import of ours."""
