package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a log that can be written and read at the same time.
type lines struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *lines) address() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	_, address, _ := strings.Cut(strings.TrimSpace(l.text.String()), " listens on ")
	return address
}

func settings(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestItServesUntilItIsToldToStop(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	log, ended := &lines{}, make(chan error, 1)
	go func() { ended <- run(ctx, settings(map[string]string{"HOST": "127.0.0.1", "PORT": "0"}), log) }()
	for deadline := time.Now().Add(5 * time.Second); log.address() == "" && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	answer, err := http.Get("http://" + log.address() + "/health")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	stop()
	if err := <-ended; err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("health answered %d, the end was %v", answer.StatusCode, err)
	}
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	err = run(context.Background(), settings(map[string]string{"HOST": "127.0.0.1", "PORT": port}), &lines{})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("it said %v", err)
	}
}
