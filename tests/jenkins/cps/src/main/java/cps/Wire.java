package cps;

import groovy.json.JsonOutput;
import groovy.json.JsonSlurper;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * One JSON object a line, both ways. Out: what the program calls, asks, and how its threads ended. In: answers.
 *
 * <p>An answer to a question ({@link #ask}) is waited for at once; answers to calls that come meanwhile are kept.
 */
final class Wire {
    private final BufferedReader in;
    private final PrintStream out;
    private final Deque<Map<String, Object>> kept = new ArrayDeque<>();

    Wire(InputStream in, PrintStream out) {
        this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
    }

    void send(Map<String, Object> message) {
        out.println(JsonOutput.toJson(message));
        out.flush();
    }

    /** The next answer to a call. */
    Map<String, Object> receive() {
        return kept.isEmpty() ? read() : kept.poll();
    }

    /** Send a question and return its answer. */
    Map<String, Object> ask(Map<String, Object> question) {
        send(question);
        for (Map<String, Object> message = read(); ; message = read()) {
            if (message.containsKey("answer")) {
                return message;
            }
            kept.add(message);
        }
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> read() {
        try {
            String line = in.readLine();
            if (line == null) {
                throw new EOFException("whoever answers has gone");
            }
            return (Map<String, Object>) new JsonSlurper().parseText(line);
        } catch (IOException e) {
            throw new Fatal(e);
        }
    }
}
