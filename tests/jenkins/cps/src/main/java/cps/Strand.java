package cps;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Continuation;
import com.cloudbees.groovy.cps.Outcome;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import com.cloudbees.groovy.cps.impl.FunctionCallEnv;
import groovy.lang.Closure;
import groovy.lang.Script;
import java.io.Serializable;
import java.util.List;

/** One thread of the program: the script itself (number 0), or the body of a step. */
final class Strand implements Serializable {
    final int id;
    /** The call whose body it is; 0 for the script. */
    final int call;
    private final Continuable program;
    /** With what it goes on; null while it waits for a call. */
    private Outcome next;
    /** How it ended; null while it has not. */
    private Outcome end;

    private Strand(int id, int call, Continuable program, Outcome next, Outcome end) {
        this.id = id;
        this.call = call;
        this.program = program;
        this.next = next;
        this.end = end;
    }

    static Strand of(Script script) {
        return new Strand(0, 0, new Continuable(script), new Outcome(null, null), null);
    }

    static Strand of(int id, int call, Closure<?> body) {
        try {
            return new Strand(id, call, null, null, new Outcome(body.call(), null));
        } catch (CpsCallableInvocation invocation) {
            FunctionCallEnv environment = new FunctionCallEnv(null, Continuation.HALT, null, null);
            Continuable program = new Continuable(invocation.invoke(environment, null, Continuation.HALT));
            return new Strand(id, call, program, new Outcome(null, null), null);
        } catch (Exception e) {
            return new Strand(id, call, null, null, new Outcome(null, e));
        }
    }

    boolean runs() {
        return next != null;
    }

    Outcome end() {
        return end;
    }

    /** Where in the script it waits. */
    List<StackTraceElement> trace() {
        return program == null ? List.of() : program.getStackTrace();
    }

    void resume(Outcome with) {
        next = with;
    }

    /** Go on until it calls a step, which is returned, or ends (null). */
    Call advance(List<Class> categories) {
        Outcome with = next;
        next = null;
        Outcome yielded = program.run0(with, categories);
        if (program.isResumable() && yielded.getNormal() instanceof Call call) {
            call.strand = id;
            return call;
        }
        end = yielded;
        return null;
    }
}
