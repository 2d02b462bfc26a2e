"""What people look at: the terminal, the Jenkins log, JUnit, SARIF and the HTML page. Reads the model only."""
