package cps;

import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An object that lives with whoever answers (`env`, `currentBuild`): each use of it is a question, answered at once. */
final class RemoteObject extends GroovyObjectSupport implements Serializable {
    final String name;

    RemoteObject(String name) {
        this.name = name;
    }

    @Override
    public Object getProperty(String property) {
        return ask("get", property, List.of());
    }

    @Override
    public void setProperty(String property, Object value) {
        ask("set", property, Arrays.asList(value));
    }

    @Override
    public Object invokeMethod(String method, Object arguments) {
        return ask("call", method, arguments instanceof Object[] array ? Arrays.asList(array) : Arrays.asList(arguments));
    }

    /** All of it, where it is a value and no object. */
    Object value() {
        return ask("value", "", List.of());
    }

    @Override
    public String toString() {
        return name;
    }

    private Object ask(String verb, String member, List<?> arguments) {
        Map<String, Object> question = new LinkedHashMap<>();
        question.put("ask", name);
        question.put("verb", verb);
        question.put("member", member);
        question.put("arguments", Values.encode(arguments, closure -> 0));
        return Machine.current().ask(question);
    }
}
