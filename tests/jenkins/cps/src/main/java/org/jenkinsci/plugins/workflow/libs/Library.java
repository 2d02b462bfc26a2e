package org.jenkinsci.plugins.workflow.libs;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** `@Library('name') _`: the runner has the one library that it is given, so the name chooses nothing. */
@Retention(RetentionPolicy.SOURCE)
public @interface Library {
    String[] value();

    boolean changelog() default true;
}
