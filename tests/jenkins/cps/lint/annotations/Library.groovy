// What every script in Jenkins can name without an import, for CodeNarc.
@interface Library {
    String[] value()
}
