package cps;

import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;

/** The variable `steps`: each method is a step. */
public final class Steps extends GroovyObjectSupport implements Serializable {
    @Override
    public Object invokeMethod(String name, Object arguments) {
        return Machine.current().step(name, name, arguments);
    }
}
