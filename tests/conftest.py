"""What all tests share: the private servers start by themselves at the first connection."""
