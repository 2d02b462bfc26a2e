package cps;

import com.cloudbees.groovy.cps.impl.Caller;
import java.io.Serializable;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * A Groovy category: in transformed code, iterators and views of Java's collections that can be saved, as Jenkins has
 * them, so that a loop may call steps.
 */
public final class SavedCollections {
    private SavedCollections() {
    }

    public static <T> Iterator<T> iterator(List<T> list) {
        return new Position<>(list);
    }

    public static <T> Iterator<T> iterator(Set<T> set) {
        return new Position<>(new ArrayList<>(set));
    }

    public static <T> Iterator<T> iterator(T[] array) {
        return new Position<>(Arrays.asList(array));
    }

    public static <K, V> Set<Map.Entry<K, V>> entrySet(Map<K, V> map) {
        if (isSynchronous(map, "entrySet")) {
            return map.entrySet();
        }
        Set<Map.Entry<K, V>> entries = new LinkedHashSet<>();
        map.entrySet().forEach(entry -> entries.add(new AbstractMap.SimpleImmutableEntry<>(entry)));
        return entries;
    }

    public static <K> Set<K> keySet(Map<K, ?> map) {
        return isSynchronous(map, "keySet") ? map.keySet() : new LinkedHashSet<>(map.keySet());
    }

    public static <V> Collection<V> values(Map<?, V> map) {
        return isSynchronous(map, "values") ? map.values() : new ArrayList<>(map.values());
    }

    private static boolean isSynchronous(Map<?, ?> map, String method) {
        return !Caller.isAsynchronous(map, method) && !Caller.isAsynchronous(SavedCollections.class, method, map);
    }

    /** Where a loop through a list stands. */
    private static final class Position<T> implements Iterator<T>, Serializable {
        private final List<T> list;
        private int next;

        Position(List<T> list) {
            this.list = list;
        }

        @Override
        public boolean hasNext() {
            return next < list.size();
        }

        @Override
        public T next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return list.get(next++);
        }

        @Override
        public void remove() {
            list.remove(--next);
        }
    }
}
