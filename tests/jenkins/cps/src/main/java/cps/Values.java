package cps;

import groovy.lang.Closure;
import groovy.lang.GString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** Values of the program as JSON, and back. What JSON cannot say is a map with one key that starts with `$`. */
final class Values {
    private Values() {
    }

    /** `keep` takes a closure and returns the number under which it can be called later. */
    static Object encode(Object value, ToIntFunction<Object> keep) {
        if (value == null || value instanceof Boolean || value instanceof Number || value instanceof String) {
            return value;
        } else if (value instanceof GString) {
            return Map.of("$interpolated", value.toString());
        } else if (value instanceof Closure) {
            return Map.of("$closure", keep.applyAsInt(value));
        } else if (value instanceof RemoteObject remote) {
            return Map.of("$remote", remote.name);
        } else if (value instanceof Map<?, ?> map) {
            Map<String, Object> encoded = new LinkedHashMap<>();
            map.forEach((key, item) -> encoded.put(String.valueOf(key), encode(item, keep)));
            return encoded;
        } else if (value instanceof Collection<?> || value instanceof Object[]) {
            Collection<?> items = value instanceof Object[] array ? Arrays.asList(array) : (Collection<?>) value;
            List<Object> encoded = new ArrayList<>();
            items.forEach(item -> encoded.add(encode(item, keep)));
            return encoded;
        }
        return Map.of("$object", value.getClass().getName());
    }

    /** `held` is what was kept for the call that is answered. */
    static Object decode(Object value, Map<Integer, Object> held) {
        if (value instanceof List<?> items) {
            List<Object> decoded = new ArrayList<>();
            items.forEach(item -> decoded.add(decode(item, held)));
            return decoded;
        } else if (value instanceof Map<?, ?> map) {
            if (map.containsKey("$held")) {
                return held.get(((Number) map.get("$held")).intValue());
            } else if (map.containsKey("$remote")) {
                return new RemoteObject((String) map.get("$remote"));
            }
            Map<String, Object> decoded = new LinkedHashMap<>();
            map.forEach((key, item) -> decoded.put((String) key, decode(item, held)));
            return decoded;
        }
        return value;
    }
}
