"""Every function that reads a foreign answer, against answers that are not what their protocols say."""
