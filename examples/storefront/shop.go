package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
)

//go:embed catalog.json
var catalogFile []byte

//go:embed page.html
var pageFile string

// A product is one thing for sale. Price is in cents.
type product struct {
	Name  string `json:"name"`
	Price int    `json:"price"`
}

// Euros returns the price as people read it.
func (p product) Euros() string {
	return fmt.Sprintf("€ %d.%02d", p.Price/100, p.Price%100)
}

type shop struct {
	version  string
	products []product
	page     *template.Template
}

// newShop reads the catalog that is built into the program.
func newShop(version string) (*shop, error) {
	s := &shop{version: version}
	if err := json.Unmarshal(catalogFile, &s.products); err != nil {
		return nil, fmt.Errorf("catalog.json: %w", err)
	}
	var err error
	s.page, err = template.New("page").Parse(pageFile)
	return s, err
}

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.home)
	mux.HandleFunc("/health", s.health)
	return mux
}

func (s *shop) home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = s.page.Execute(w, map[string]any{"Version": s.version, "Products": s.products})
}

// health answers 200 where the shop can serve, else 500 and why; both tell the version.
func (s *shop) health(w http.ResponseWriter, _ *http.Request) {
	code, status := http.StatusOK, "ok"
	if err := s.ready(); err != nil {
		code, status = http.StatusInternalServerError, err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": status, "version": s.version})
}

// ready tells what keeps the shop from serving.
func (s *shop) ready() error {
	if len(s.products) == 0 {
		return fmt.Errorf("there is nothing to sell")
	}
	return nil
}
