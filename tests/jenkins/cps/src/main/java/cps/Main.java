package cps;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.codehaus.groovy.control.CompilationFailedException;

/**
 * Runs one script. The first line on standard input is a JSON object:
 *
 * <pre>
 * {"script": TEXT, "library": FOLDER or null, "values": [NAME], "objects": [NAME]}
 * </pre>
 *
 * Then, on standard output, one JSON object a line:
 *
 * <pre>
 * {"call": N, "strand": N, "step": NAME, "arguments": [...]}       a step that waits for its answer
 * {"ask": OBJECT, "verb": get|set|call|value, "member": NAME, "arguments": [...], "strand": N}   answered at once
 * {"ended": STRAND, "held": N, "error": {"type", "message", "trace"}}      a body, or (0) the script; `error` if it failed
 * {"fatal": {"type", "message"}}                                    the run is over, whatever the script says
 * </pre>
 *
 * and on standard input the answers:
 *
 * <pre>
 * {"call": N, "value": VALUE}   {"call": N, "error": {"type", "message", "properties"}}   {"answer": VALUE, "error": ...}
 * {"call": N, "run": CLOSURE, "strand": N}                          run a closure among the call's arguments
 * </pre>
 *
 * In values, {"$closure": N} is a closure, {"$held": N} what a body returned or threw, {"$remote": NAME} an object that is
 * asked, {"$interpolated": TEXT} a string that was put together, {"$object": CLASS} anything that JSON cannot say.
 */
public final class Main {
    private Main() {
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) {
        Wire wire = new Wire(System.in, new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8));
        System.setOut(System.err);
        try {
            Map<String, Object> start = wire.receive();
            String folder = (String) start.get("library");
            Library library = new Library(folder == null ? null : Path.of(folder),
                    (List<String>) start.get("values"), (List<String>) start.get("objects"));
            Machine machine = new Machine(wire, library);
            machine.run(library.script((String) start.get("script")));
        } catch (Throwable e) {
            Throwable cause = e instanceof Fatal ? e.getCause() : e;
            if (cause == e && !(e instanceof CompilationFailedException)) {
                cause.printStackTrace();
            }
            wire.send(Map.of("fatal", Errors.encode(cause)));
            System.exit(1);
        }
    }
}
