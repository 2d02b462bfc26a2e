package org.jenkinsci.plugins.workflow.steps;

/** A step was called outside the block that it needs, such as `node`. */
public final class MissingContextVariableException extends Exception {
    public MissingContextVariableException(String message) {
        super(message);
    }
}
