package hudson;

import java.io.IOException;

/** What a step fails with when its message says everything: Jenkins prints no stack trace for it. */
public class AbortException extends IOException {
    public AbortException(String message) {
        super(message);
    }
}
