package cps;

import java.util.LinkedHashMap;
import java.util.Map;
import org.codehaus.groovy.runtime.InvokerHelper;
import org.codehaus.groovy.runtime.InvokerInvocationException;

/** Exceptions as JSON, and back: `type` is the Java class, and `properties` are set on what is made. */
final class Errors {
    private Errors() {
    }

    static Map<String, Object> encode(Throwable error) {
        Throwable cause = unwrapped(error);
        Map<String, Object> encoded = new LinkedHashMap<>();
        encoded.put("type", cause.getClass().getName());
        encoded.put("message", cause.getMessage());
        if (cause instanceof org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
            encoded.put("properties", Map.of("result", interruption.getResult(), "causes", interruption.getCauses(),
                    "actualInterruption", interruption.isActualInterruption()));
        }
        StringBuilder trace = new StringBuilder();
        for (StackTraceElement element : cause.getStackTrace()) {
            if (!element.isNativeMethod() && element.getFileName() != null && element.getFileName().endsWith(".groovy")
                    || "WorkflowScript".equals(element.getFileName())) {
                trace.append("\tat ").append(element).append('\n');
            }
        }
        encoded.put("trace", trace.toString());
        return encoded;
    }

    @SuppressWarnings("unchecked")
    static Throwable decode(Map<String, Object> error, Map<Integer, Object> held) {
        if (error.containsKey("$held")) {
            return (Throwable) held.get(((Number) error.get("$held")).intValue());
        }
        try {
            Class<?> type = Class.forName((String) error.get("type"));
            Throwable made = (Throwable) type.getConstructor(String.class).newInstance((String) error.get("message"));
            Map<String, Object> properties = (Map<String, Object>) Values.decode(error.getOrDefault("properties", Map.of()), held);
            properties.forEach((name, value) -> InvokerHelper.setProperty(made, name, value));
            return made;
        } catch (ReflectiveOperationException e) {
            throw new Fatal(e);
        }
    }

    static Throwable unwrapped(Throwable error) {
        return error instanceof InvokerInvocationException && error.getCause() != null ? error.getCause() : error;
    }
}
