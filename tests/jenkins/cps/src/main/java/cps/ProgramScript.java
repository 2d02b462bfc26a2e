package cps;

import com.cloudbees.groovy.cps.SerializableScript;
import groovy.lang.Binding;
import groovy.lang.MissingPropertyException;
import org.codehaus.groovy.runtime.DefaultGroovyMethods;
import org.codehaus.groovy.runtime.InvokerHelper;

/**
 * What every script derives from: a name that the script has not is a variable of its binding, else one of the
 * library's, else (a method) a step, or (a property) a variable of the environment. The order is that of Jenkins
 * (CpsScript of workflow-cps).
 */
public abstract class ProgramScript extends SerializableScript {
    public ProgramScript() {
        getBinding().setVariable("steps", new Steps());
    }

    @Override
    public final Object invokeMethod(String name, Object arguments) {
        Binding binding = getBinding();
        if (binding.hasVariable(name)) {
            Object variable = binding.getVariable(name);
            if (!InvokerHelper.getMetaClass(variable).respondsTo(variable, "call", (Object[]) arguments).isEmpty()) {
                return InvokerHelper.getMetaClass(variable).invokeMethod(variable, "call", arguments);
            }
        }
        Object global = Machine.current().global(name, binding);
        if (global != null) {
            return InvokerHelper.getMetaClass(global).invokeMethod(global, "call", arguments);
        }
        return Machine.current().step(name, name, arguments);
    }

    @Override
    public Object getProperty(String property) {
        try {
            return super.getProperty(property);
        } catch (MissingPropertyException e) {
            Object global = Machine.current().global(property, getBinding());
            Object value = global != null ? global : Machine.current().bareName(property);
            if (value == null) {
                throw e;
            }
            return value;
        }
    }

    @Override
    public void println() {
        echo("println", "");
    }

    @Override
    public void print(Object value) {
        echo("print", value);
    }

    @Override
    public void println(Object value) {
        echo("println", value);
    }

    @Override
    public void printf(String format, Object value) {
        echo("printf", DefaultGroovyMethods.sprintf(this, format, value));
    }

    @Override
    public void printf(String format, Object[] values) {
        echo("printf", DefaultGroovyMethods.sprintf(this, format, values));
    }

    /** Else `sleep 5` would be Groovy's own. */
    public Object sleep(long time) {
        return invokeMethod("sleep", new Object[] {time});
    }

    private static void echo(String method, Object value) {
        Machine.current().step(method, "echo", new Object[] {String.valueOf(value)});
    }
}
