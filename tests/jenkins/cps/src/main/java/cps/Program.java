package cps;

import com.cloudbees.groovy.cps.ObjectInputStreamWithLoader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Everything that Jenkins keeps of a running script, as one graph of objects. */
final class Program implements Serializable {
    final Map<Integer, Strand> strands = new TreeMap<>();
    final Map<Integer, Call> calls = new TreeMap<>();
    private int lastCall;

    void called(Call call) {
        call.id = ++lastCall;
        calls.put(call.id, call);
    }

    private NotSerializableException located(NotSerializableException error) {
        String path = ObjectPath.to(error.getMessage(), this);
        String where = path.isEmpty() ? "" : " (" + path + ")";
        NotSerializableException located = new NotSerializableException(error.getMessage() + where);
        List<StackTraceElement> trace = new ArrayList<>();
        strands.values().forEach(strand -> trace.addAll(strand.trace()));
        located.setStackTrace(trace.toArray(new StackTraceElement[0]));
        return located;
    }

    /** What a controller has after a restart: the program, from its bytes. */
    Program savedAndRestored(ClassLoader loader) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(this);
        } catch (NotSerializableException e) {
            throw new Fatal(located(e));
        } catch (IOException e) {
            throw new Fatal(e);
        }
        try (ObjectInputStreamWithLoader in =
                new ObjectInputStreamWithLoader(new ByteArrayInputStream(bytes.toByteArray()), loader)) {
            return (Program) in.readObject();
        } catch (IOException | ClassNotFoundException e) {
            throw new Fatal(e);
        }
    }
}
