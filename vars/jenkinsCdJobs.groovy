/*
 * jenkinsCdJobs: start the shared deploy job, and tell how it ended.
 */

/** Start the deploy job and wait for it. Where it does not succeed, what it says of itself is this build's error. */
void deploy(String job, Map values) {
    List given = []
    for (String name in values.keySet()) {
        given << string(name: name, value: values[name].toString())
    }
    def done = build(job: "/${job}", parameters: given, wait: true, propagate: false)  // from the root, whatever folder we are in
    if (done.result != 'SUCCESS') {
        String why = done.description ? "${done.description}\n" : ''
        error("${values.APP} ${values.VERSION} → ${values.ENVIRONMENT}: ${done.result}\n${why}${done.absoluteUrl}")
    }
}
