package cps;

/** Ends the run at once: no script can catch it. */
final class Fatal extends Error {
    Fatal(Throwable cause) {
        super(cause);
    }
}
