package cps;

import com.cloudbees.groovy.cps.Block;
import com.cloudbees.groovy.cps.Env;
import com.cloudbees.groovy.cps.impl.CpsClosure;
import java.util.List;
import org.codehaus.groovy.runtime.InvokerHelper;

/** A closure in which `println`, `print`, `printf` and `sleep` are the script's, and not those that Groovy gives every object. */
public class ProgramClosure extends CpsClosure {
    public ProgramClosure(Object owner, Object self, List<String> parameters, Block body, Env capture) {
        super(owner, self, parameters, body, capture);
    }

    public Object sleep(long time) {
        return InvokerHelper.invokeMethod(getOwner(), "sleep", time);
    }

    public void println() {
        InvokerHelper.invokeMethod(getOwner(), "println", new Object[0]);
    }

    public void println(Object value) {
        InvokerHelper.invokeMethod(getOwner(), "println", new Object[] {value});
    }

    public void print(Object value) {
        InvokerHelper.invokeMethod(getOwner(), "print", new Object[] {value});
    }

    public void printf(String format, Object value) {
        InvokerHelper.invokeMethod(getOwner(), "printf", new Object[] {format, value});
    }
}
