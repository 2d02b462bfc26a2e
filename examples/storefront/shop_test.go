package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, s *shop, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	s.routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}

func open(t *testing.T) *shop {
	t.Helper()
	s, err := newShop("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestThePageShowsEveryProductAndTheVersion(t *testing.T) {
	answer := get(t, open(t), "/")
	for _, wanted := range []string{"Fountain pen: € 34.90", "Notebook, dotted: € 12.05", "version 1.2.3"} {
		if !strings.Contains(answer.Body.String(), wanted) {
			t.Errorf("%q is not on the page:\n%s", wanted, answer.Body)
		}
	}
}

func TestAnUnknownPageIsNotFound(t *testing.T) {
	if answer := get(t, open(t), "/checkout"); answer.Code != http.StatusNotFound {
		t.Errorf("status %d", answer.Code)
	}
}

func TestHealth(t *testing.T) {
	empty := open(t)
	empty.products = nil
	for name, test := range map[string]struct {
		shop   *shop
		code   int
		status string
	}{
		"a shop with products is healthy":   {open(t), http.StatusOK, "ok"},
		"a shop without products is broken": {empty, http.StatusInternalServerError, "there is nothing to sell"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := get(t, test.shop, "/health")
			var health map[string]string
			if err := json.Unmarshal(answer.Body.Bytes(), &health); err != nil {
				t.Fatal(err)
			}
			if answer.Code != test.code || health["status"] != test.status || health["version"] != "1.2.3" {
				t.Errorf("status %d, answer %v", answer.Code, health)
			}
		})
	}
}
