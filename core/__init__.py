"""What several packages need, each thing once. Imports nothing else of the repository."""
