package org.jenkinsci.plugins.workflow.steps;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Somebody or something ended the build or a part of it; `result` is what the build becomes if nobody catches it. */
public final class FlowInterruptedException extends InterruptedException {
    private String result = "ABORTED";
    private List<Map<String, Object>> causes = new ArrayList<>();
    private boolean actualInterruption = true;

    public FlowInterruptedException(String message) {
        super(message);
    }

    public String getResult() {
        return result;
    }

    public void setResult(String result) {
        this.result = result;
    }

    /** Each with `shortDescription`, and `user` where it was somebody. */
    public List<Map<String, Object>> getCauses() {
        return causes;
    }

    public void setCauses(List<Map<String, Object>> causes) {
        this.causes = causes;
    }

    public boolean isActualInterruption() {
        return actualInterruption;
    }

    public void setActualInterruption(boolean actual) {
        this.actualInterruption = actual;
    }
}
