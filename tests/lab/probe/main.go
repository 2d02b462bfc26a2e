// The lab's app: a small web server that behaves as its environment says.
//
//	PORT              where it listens (8080)
//	VERSION           what /health reports, set in the image
//	PROBE_PRINT       printed at the start
//	PROBE_EVERY       seconds between two more lines
//	PROBE_READY_AFTER seconds until /health answers 200 instead of 503, or "never"
//	PROBE_EXIT_CODE   it ends with this code: at once, or after PROBE_EXIT_AFTER seconds
//	PROBE_MEMORY      MiB that it takes
//	PROBE_STOP_AFTER  seconds between SIGTERM and the end (0)
//
// With arguments it does one thing instead: `get URL`, `resolve NAME`, `pause` (what holds a pod's namespaces).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

var started = time.Now()

func main() {
	if len(os.Args) > 1 {
		os.Exit(once(os.Args[1:]))
	}
	go stop()
	if text := os.Getenv("PROBE_PRINT"); text != "" {
		fmt.Println(text)
	}
	if code := os.Getenv("PROBE_EXIT_CODE"); code != "" {
		number, _ := strconv.Atoi(code)
		time.AfterFunc(seconds("PROBE_EXIT_AFTER"), func() { os.Exit(number) })
	}
	if pause := seconds("PROBE_EVERY"); pause > 0 {
		go every(pause)
	}
	memory := fill()
	serve()
	fmt.Println(len(memory))
}

func seconds(name string) time.Duration {
	value, _ := strconv.ParseFloat(os.Getenv(name), 64)
	return time.Duration(value * float64(time.Second))
}

func stop() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	fmt.Println("told to stop")
	time.Sleep(seconds("PROBE_STOP_AFTER"))
	os.Exit(0)
}

func every(pause time.Duration) {
	for number := 1; ; number++ {
		time.Sleep(pause)
		fmt.Println("line", number)
	}
}

func fill() []byte {
	size, _ := strconv.Atoi(os.Getenv("PROBE_MEMORY"))
	memory := make([]byte, size<<20)
	for place := 0; place < len(memory); place += 4096 {
		memory[place] = 1
	}
	return memory
}

func ready() bool {
	return os.Getenv("PROBE_READY_AFTER") != "never" && time.Since(started) >= seconds("PROBE_READY_AFTER")
}

func health(answer http.ResponseWriter, _ *http.Request) {
	status, word := http.StatusOK, "ok"
	if !ready() {
		status, word = http.StatusServiceUnavailable, "starting"
	}
	host, _ := os.Hostname()
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(status)
	json.NewEncoder(answer).Encode(map[string]string{"status": word, "version": os.Getenv("VERSION"), "host": host})
}

func serve() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.HandleFunc("/health", health)
	http.HandleFunc("/print", func(answer http.ResponseWriter, request *http.Request) {
		fmt.Println(request.URL.Query().Get("line"))
	})
	http.HandleFunc("/exit", func(answer http.ResponseWriter, request *http.Request) {
		code, _ := strconv.Atoi(request.URL.Query().Get("code"))
		os.Exit(code)
	})
	fmt.Println("version", os.Getenv("VERSION"), "listens on", port)
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":"+port, nil))
	os.Exit(1)
}

func once(words []string) int {
	switch {
	case words[0] == "pause":
		return pause()
	case words[0] == "get" && len(words) == 2:
		return get(words[1])
	case words[0] == "resolve" && len(words) == 2:
		return resolve(words[1])
	}
	fmt.Fprintln(os.Stderr, "usage: probe [get URL | resolve NAME | pause]")
	return 2
}

// pause waits for the end and collects the dead, as it may be the first process of the pod.
func pause() int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for caught := range signals {
		if caught != syscall.SIGCHLD {
			break
		}
		for id, err := 1, error(nil); id > 0 && err == nil; {
			id, err = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
	return 0
}

func get(url string) int {
	answer, err := (&http.Client{Timeout: 5 * time.Second}).Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer answer.Body.Close()
	io.Copy(os.Stdout, answer.Body)
	if answer.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, answer.Status)
		return 1
	}
	return 0
}

func resolve(name string) int {
	limited, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(limited, name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, address := range addresses {
		fmt.Println(address)
	}
	return 0
}
