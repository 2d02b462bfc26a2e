package cps;

import com.cloudbees.groovy.cps.CpsTransformer;
import com.cloudbees.groovy.cps.NonCPS;
import com.cloudbees.groovy.cps.TransformerConfiguration;
import groovy.lang.Binding;
import groovy.lang.GroovyClassLoader;
import groovy.lang.GroovyCodeSource;
import groovy.lang.Script;
import java.io.IOException;
import java.net.MalformedURLException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.codehaus.groovy.control.customizers.ImportCustomizer;

/** Compiles scripts as Jenkins does, and finds what they name: variables of the library (`vars/`), classes (`src/`), globals. */
final class Library {
    private final Path folder;
    private final List<String> values;
    private final List<String> objects;
    private final GroovyClassLoader loader;

    /** `folder` may be null; `values` are globals that are asked for as a whole, `objects` those that are asked for their members. */
    Library(Path folder, List<String> values, List<String> objects) throws MalformedURLException {
        this.folder = folder;
        this.values = values;
        this.objects = objects;
        this.loader = new GroovyClassLoader(Library.class.getClassLoader(), configuration());
        if (folder != null) {
            loader.addURL(folder.resolve("vars").toUri().toURL());
            loader.addURL(folder.resolve("src").toUri().toURL());
        }
    }

    GroovyClassLoader loader() {
        return loader;
    }

    RemoteObject environment() {
        return objects.contains("env") ? new RemoteObject("env") : null;
    }

    Script script(String text) throws ReflectiveOperationException {
        GroovyCodeSource source = new GroovyCodeSource(text, "WorkflowScript", "/groovy/shell");
        return (Script) loader.parseClass(source, false).getConstructor().newInstance();
    }

    /** What `name` means in the script that has this binding; null if nothing. */
    Object global(String name, Binding binding) {
        if (objects.contains(name)) {
            return new RemoteObject(name);
        } else if (values.contains(name)) {
            Object value = new RemoteObject(name).value();
            return value instanceof Map<?, ?> map ? Collections.unmodifiableMap(map) : value;
        } else if (folder == null || !Files.isRegularFile(folder.resolve("vars").resolve(name + ".groovy"))) {
            return null;
        }
        if (!binding.hasVariable(name)) {
            binding.setVariable(name, instance(name));
        }
        return binding.getVariable(name);
    }

    private Object instance(String name) {
        try {
            return loader.loadClass(name).getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new Fatal(e);
        } catch (org.codehaus.groovy.control.CompilationFailedException e) {
            throw new Fatal(e);
        }
    }

    private static CompilerConfiguration configuration() {
        ImportCustomizer imports = new ImportCustomizer();
        imports.addStarImports(NonCPS.class.getPackage().getName(), "hudson.model", "jenkins.model");
        imports.addImports(org.jenkinsci.plugins.workflow.libs.Library.class.getName());
        CpsTransformer transformer = new CpsTransformer();
        transformer.setConfiguration(new TransformerConfiguration().withClosureType(ProgramClosure.class));
        CompilerConfiguration configuration = new CompilerConfiguration();
        configuration.addCompilationCustomizers(imports, transformer);
        configuration.setScriptBaseClass(ProgramScript.class.getName());
        configuration.setSourceEncoding("UTF-8");
        return configuration;
    }
}
