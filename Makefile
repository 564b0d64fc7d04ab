# make help tells what there is to make. Programs that are missing are installed on
# Debian and Ubuntu, and named elsewhere; `make quick` installs nothing.

PREFIX  ?= /usr/local
DESTDIR ?=
TOOLS    = s3put s3get s3ls s3rm slotcalc pgpipe napback

BIN      = build/bin
BINARIES = $(TOOLS:%=$(BIN)/%)
BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man
SHAREDIR = $(DESTDIR)$(PREFIX)/share/napback
COMPDIR  = $(DESTDIR)$(PREFIX)/share
UNITDIR  = $(DESTDIR)$(PREFIX)/lib/systemd/system
MANUALS  = $(sort $(wildcard man/*.[157]))
UNITS    = $(sort $(wildcard scripts/*.service scripts/*.timer))
# What people can copy; the rest of scripts/ is for work on the tools themselves.
EXAMPLES = $(filter-out scripts/install-deps.sh scripts/check.sh scripts/demo.sh scripts/package/% $(UNITS) %.go,\
             $(shell find scripts -name testdata -prune -o -type f -print | sort))
# Where each shell looks for what completes a tool.
COMPLETE = bash:bash-completion/completions/$$tool zsh:zsh/site-functions/_$$tool fish:fish/vendor_completions.d/$$tool.fish

# Nobody debugs the development tools, and without what that takes they are built
# sooner. internal/storetest builds with the same flags.
TOOLFLAGS = -gcflags=all=-dwarf=false -ldflags='-s -w'

# A clone that belongs to another user (in a container, say) is built without
# the commit in its version, rather than not at all.
ifneq ($(shell git rev-parse --is-inside-work-tree 2>/dev/null),true)
export GOFLAGS += -buildvcs=false
endif

.PHONY: build help quick test check demo demo-s3 install uninstall package release clean go-test storm tools linters
.DELETE_ON_ERROR:

build: ## build the tools into build/bin (the default)
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/ $(TOOLS:%=./%)

# A target is listed if its line says what it is for.
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' Makefile

# -short leaves out what starts servers, needs root or takes minutes: the tests that
# call storetest.NotQuick. -trimpath finds what any other clone has compiled.
# Four at a time: many of them wait.
quick: ## gofmt, vet, and all tests that need no server and no root: under a minute
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "gofmt: $$files"; exit 1; }
	CGO_ENABLED=0 go vet -trimpath ./...
	CGO_ENABLED=0 go test -trimpath -short -p 4 ./...

# -k: a finding of check does not keep the tests from running.
test: ## everything: programs that are missing, build, check, tests (best as root)
	scripts/install-deps.sh test
	$(MAKE) tools
	$(MAKE) build
	$(MAKE) -j1 -k check go-test

# The race detector needs cgo and gcc; the tools are built without.
go-test: ## all tests, with the race detector
	CGO_ENABLED=1 go test -race -p 2 -timeout 40m ./...

# So many rounds on each of two stores. Seed 0 is one that nobody has seen; the one
# that was taken is printed.
STORM_ROUNDS ?= 500
STORM_SEED   ?= 0
STORM_STORE  ?=

storm: ## half an hour of random histories of several hosts; restore all of it
	scripts/install-deps.sh test
	STORM_ROUNDS=$(STORM_ROUNDS) STORM_SEED=$(STORM_SEED) STORM_STORE=$(STORM_STORE) \
	    go test -v -count=1 -timeout 8h -run TestStorm ./napback/storm

check: ## format, vet, linters, import rules, manuals, builds for other systems
	scripts/install-deps.sh test
	$(MAKE) linters
	scripts/check.sh

demo: ## back up and restore a directory on this machine, step by step
	scripts/install-deps.sh demo
	$(MAKE) build
	scripts/demo.sh

demo-s3: ## the demo against a local S3 server
	scripts/install-deps.sh demo
	$(MAKE) build
	@mkdir -p build/tools
	CGO_ENABLED=0 go build -C tools $(TOOLFLAGS) -o ../build/tools/ github.com/versity/versitygw/cmd/versitygw
	scripts/demo.sh --s3

# All that tools/go.mod pins: the servers that tests start take minutes to
# build the first time.
tools: ## build the pinned linters and servers of development
	@mkdir -p build/tools
	CGO_ENABLED=0 go build -C tools $(TOOLFLAGS) -o ../build/tools/ tool

linters:
	@mkdir -p build/tools
	CGO_ENABLED=0 go build -C tools $(TOOLFLAGS) -o ../build/tools/ \
	    honnef.co/go/tools/cmd/staticcheck github.com/OpenPeeDeeP/depguard/v2/cmd/depguard

# Builds only what is not there, so that root needs no Go in `make && sudo make install`.
# The units and the line for cron name the program where it is.
install: ## install tools, manuals, completions, units and scripts below PREFIX (/usr/local) and DESTDIR
	@for file in $(BINARIES); do [ -x $$file ] || exec $(MAKE) build; done
	install -d "$(BINDIR)"
	install -m 755 $(BINARIES) "$(BINDIR)"
	@set -e; for page in $(MANUALS); do \
	    dir="$(MANDIR)/man$${page##*.}"; \
	    install -d "$$dir"; \
	    install -m 644 "$$page" "$$dir"; \
	done
	@set -e; for file in $(EXAMPLES); do \
	    target="$(SHAREDIR)/$${file#scripts/}"; \
	    case $$file in *.sh) mode=755 ;; *) mode=644 ;; esac; \
	    install -d "$$(dirname "$$target")"; \
	    install -m $$mode "$$file" "$$target"; \
	done
	install -m 644 LICENSE "$(SHAREDIR)"
	@set -e; for tool in $(TOOLS); do for place in $(COMPLETE); do \
	    target="$(COMPDIR)/$${place#*:}"; \
	    install -d "$$(dirname "$$target")"; \
	    sed "s/@TOOL@/$$tool/g" "internal/cli/completion/$${place%%:*}" >"$$target"; \
	    chmod 644 "$$target"; \
	done; done
	@set -e; install -d "$(UNITDIR)"; install -m 644 $(UNITS) "$(UNITDIR)"; \
	for file in $(UNITS:scripts/%="$(UNITDIR)/%") "$(SHAREDIR)/napback.cron"; do \
	    sed 's|/usr/local/bin/napback|$(PREFIX)/bin/napback|' "$$file" >"$$file.new"; \
	    chmod 644 "$$file.new"; mv "$$file.new" "$$file"; \
	done

package: ## .deb, .rpm and archives of what is committed, in build/package
	scripts/package/package.sh

release: ## packages of a tagged commit, in build/release; publishes nothing
	scripts/package/package.sh --release

# Removes what install installs and nothing else; folders of ours if they are empty.
uninstall: ## take back what install installed
	@set -e; for tool in $(TOOLS); do \
	    rm -f "$(BINDIR)/$$tool"; \
	    for place in $(COMPLETE); do rm -f "$(COMPDIR)/$${place#*:}"; done; \
	done
	@set -e; for page in $(MANUALS); do rm -f "$(MANDIR)/man$${page##*.}/$${page#man/}"; done
	@set -e; for file in $(UNITS:scripts/%=%); do rm -f "$(UNITDIR)/$$file"; done
	@set -e; for file in $(EXAMPLES); do rm -f "$(SHAREDIR)/$${file#scripts/}"; done
	@rm -f "$(SHAREDIR)/LICENSE"
	@if [ -d "$(SHAREDIR)" ]; then \
	    find "$(SHAREDIR)" -depth -type d -exec rmdir {} + 2>/dev/null || true; \
	fi

clean: ## remove build
	rm -rf build
