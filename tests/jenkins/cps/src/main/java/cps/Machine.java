package cps;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Outcome;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import groovy.lang.Binding;
import groovy.lang.Closure;
import groovy.lang.Script;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the program's strands one after the other, saves it whenever all of them wait, and passes calls and answers on. */
final class Machine {
    private static Machine current;
    private final Wire wire;
    private final Library library;
    private final List<Class> categories = new ArrayList<>(Continuable.categories);
    private Program program = new Program();
    private int strand;

    Machine(Wire wire, Library library) {
        this.wire = wire;
        this.library = library;
        categories.add(SavedCollections.class);
        current = this;
        CpsCallableInvocation.registerMismatchHandler(Machine::mismatch);
    }

    static Machine current() {
        return current;
    }

    void run(Script script) {
        program.strands.put(0, Strand.of(script));
        while (!program.strands.isEmpty()) {
            for (Strand each : new ArrayList<>(program.strands.values())) {
                if (each.runs()) {
                    advance(each);
                }
            }
            program = program.savedAndRestored(library.loader());
            tell();
            if (!program.strands.isEmpty()) {
                answered(wire.receive());
            }
        }
    }

    /** Suspend the strand until `step` is answered; `method` is the name by which the script called it. */
    Object step(String method, String step, Object arguments) {
        Object[] array = arguments instanceof Object[] several ? several : new Object[] {arguments};
        Continuable.suspend(method, new Call(step, array));
        throw new AssertionError("suspend() returned");
    }

    Object global(String name, Binding binding) {
        return library.global(name, binding);
    }

    /** What a name that nobody declared means: a variable of the environment. */
    Object bareName(String name) {
        RemoteObject environment = library.environment();
        return environment == null ? null : environment.getProperty(name);
    }

    Object ask(Map<String, Object> question) {
        question.put("strand", strand);
        Map<String, Object> answer = wire.ask(question);
        if (answer.get("error") != null) {
            throw Machine.<RuntimeException>unchecked(Errors.decode(mapOf(answer.get("error")), Map.of()));
        }
        return Values.decode(answer.get("answer"), Map.of());
    }

    private void advance(Strand each) {
        strand = each.id;
        Call call = each.advance(categories);
        if (call != null) {
            program.called(call);
        }
    }

    /** Send what is new: strands that ended, and calls. */
    private void tell() {
        for (Strand each : new ArrayList<>(program.strands.values())) {
            if (each.end() != null) {
                program.strands.remove(each.id);
                wire.send(ended(each));
            }
        }
        for (Call call : program.calls.values()) {
            if (!call.sent) {
                call.sent = true;
                wire.send(call.message());
            }
        }
    }

    private Map<String, Object> ended(Strand each) {
        Throwable error = each.end().getAbnormal();
        Call call = program.calls.get(each.call);
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("ended", each.id);
        if (call != null) {
            message.put("held", call.hold(error == null ? each.end().getNormal() : Errors.unwrapped(error)));
        }
        if (error != null) {
            message.put("error", Errors.encode(error));
        }
        return message;
    }

    private void answered(Map<String, Object> answer) {
        int id = number(answer.get("call"));
        Call call = program.calls.get(id);
        if (answer.containsKey("run")) {
            Closure<?> body = (Closure<?>) call.held.get(number(answer.get("run")));
            int number = number(answer.get("strand"));
            program.strands.put(number, Strand.of(number, id, body));
            return;
        }
        program.calls.remove(id);
        Outcome outcome = answer.get("error") != null
                ? new Outcome(null, Errors.decode(mapOf(answer.get("error")), call.held))
                : new Outcome(Values.decode(answer.get("value"), call.held), null);
        program.strands.get(call.strand).resume(outcome);
    }

    private static void mismatch(Object expectedReceiver, String expected, Object actualReceiver, String actual) {
        throw new Fatal(new IllegalStateException("expected to call " + nameOf(expectedReceiver) + "." + expected
                + " but wound up catching " + nameOf(actualReceiver) + "." + actual
                + "; see: https://jenkins.io/redirect/pipeline-cps-method-mismatches/"));
    }

    private static String nameOf(Object receiver) {
        return receiver == null ? "null" : (receiver instanceof Class<?> type ? type : receiver.getClass()).getName();
    }

    private static int number(Object value) {
        return ((Number) value).intValue();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> mapOf(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E unchecked(Throwable error) throws E {
        throw (E) error;
    }
}
