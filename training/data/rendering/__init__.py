"""Vehicles drawn by program: shapes in metres, a camera, a scene around them and the weather over it."""
