package cps;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where in a graph of objects something stands, in names that the author of a script knows: variables and keys. */
final class ObjectPath {
    private static final int MOST = 500_000;

    private ObjectPath() {
    }

    private record Place(Object object, String path) {
    }

    /** The way to the nearest object of the class `type`, such as `matcher` or `reports.lint[0]`; empty if there is none. */
    static String to(String type, Object root) {
        Map<Object, Boolean> seen = new IdentityHashMap<>();
        Deque<Place> places = new ArrayDeque<>(List.of(new Place(root, "")));
        while (!places.isEmpty() && seen.size() < MOST) {
            Place place = places.poll();
            if (place.object.getClass().getName().equals(type)) {
                return place.path;
            }
            inside(place).forEach((path, object) -> {
                for (Object each : object) {
                    if (each != null && seen.put(each, true) == null) {
                        places.add(new Place(each, path));
                    }
                }
            });
        }
        return "";
    }

    private static Map<String, List<Object>> inside(Place place) {
        Map<String, List<Object>> found = new LinkedHashMap<>();
        if (place.object instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                boolean named = key instanceof String name && !name.startsWith("$");
                add(found, named ? joined(place.path, (String) key) : place.path, value);
            });
        } else if (place.object instanceof Iterable<?> || place.object instanceof Object[]) {
            Iterable<?> items = place.object instanceof Object[] array ? Arrays.asList(array) : (Iterable<?>) place.object;
            int index = 0;
            for (Object item : items) {
                add(found, place.path + (place.path.isEmpty() ? "" : "[" + index + "]"), item);
                index++;
            }
        } else {
            fields(place, found);
        }
        return found;
    }

    private static void fields(Place place, Map<String, List<Object>> found) {
        for (Class<?> type = place.object.getClass(); type != null; type = type.getSuperclass()) {
            boolean foreign = type.getName().startsWith("java.");
            for (Field field : foreign ? new Field[0] : type.getDeclaredFields()) {
                boolean saved = !Modifier.isStatic(field.getModifiers()) && !Modifier.isTransient(field.getModifiers());
                if (saved && !field.getType().isPrimitive() && field.trySetAccessible()) {
                    add(found, place.path, valueOf(field, place.object));
                }
            }
        }
    }

    private static Object valueOf(Field field, Object object) {
        try {
            return field.get(object);
        } catch (IllegalAccessException e) {
            return null;
        }
    }

    private static void add(Map<String, List<Object>> found, String path, Object value) {
        found.computeIfAbsent(path, each -> new ArrayList<>()).add(value);
    }

    private static String joined(String path, String name) {
        return path.isEmpty() || path.endsWith("this") ? name : path + "." + name;
    }
}
