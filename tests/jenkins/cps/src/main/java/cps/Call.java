package cps;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A step that the program called and waits for. */
final class Call implements Serializable {
    final String step;
    /** As JSON; a closure is the number under which it is held. */
    final Object arguments;
    /** Closures among the arguments, and what bodies returned or threw: values that never leave the program. */
    final Map<Integer, Object> held = new LinkedHashMap<>();
    int id;
    int strand;
    boolean sent;

    Call(String step, Object[] arguments) {
        this.step = step;
        List<Object> encoded = new ArrayList<>();
        for (Object argument : arguments) {
            encoded.add(Values.encode(argument, this::hold));
        }
        this.arguments = encoded;
    }

    int hold(Object value) {
        held.put(held.size() + 1, value);
        return held.size();
    }

    Map<String, Object> message() {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("call", id);
        message.put("strand", strand);
        message.put("step", step);
        message.put("arguments", arguments);
        return message;
    }
}
