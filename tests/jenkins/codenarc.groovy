// What `python -m tests.jenkins.lint` looks for in Groovy that Jenkins runs.
ruleset {
    ruleset('rulesets/basic.xml')
    ruleset('rulesets/braces.xml')
    ruleset('rulesets/convention.xml') {
        exclude 'CompileStatic'  // Jenkins transforms dynamic calls
        exclude 'ImplicitClosureParameter'
        exclude 'ImplicitReturnStatement'
        exclude 'MethodParameterTypeRequired'
        exclude 'MethodReturnTypeRequired'
        exclude 'NoDef'  // what a step returns has no type to name
        exclude 'TrailingComma'
        exclude 'VariableTypeRequired'
    }
    ruleset('rulesets/exceptions.xml') {
        exclude 'CatchException'  // a step throws what it likes
        exclude 'CatchThrowable'
    }
    ruleset('rulesets/formatting.xml') {
        exclude 'ClassEndsWithBlankLine'
        exclude 'ClassStartsWithBlankLine'
        exclude 'SpaceAfterOpeningBrace'
        exclude 'SpaceAroundMapEntryColon'
        exclude 'SpaceBeforeClosingBrace'
        LineLength {
            length = 140
        }
    }
    ruleset('rulesets/groovyism.xml')
    ruleset('rulesets/imports.xml')
    ruleset('rulesets/jenkins.xml')
    ruleset('rulesets/naming.xml') {
        exclude 'FactoryMethodName'
        VariableName {
            ignoreVariableNames = '_'  // of @Library('…') _
        }
    }
    ruleset('rulesets/unnecessary.xml') {
        exclude 'UnnecessaryCollectCall'  // `*.` cannot wait for a step
        exclude 'UnnecessaryGetter'
        exclude 'UnnecessaryReturnKeyword'
    }
    ruleset('rulesets/unused.xml') {
        UnusedVariable {
            ignoreVariableNames = '_'
        }
    }
}
