"""The demo shop: a feed, and the pictures of everything in it, drawn by the program itself."""
