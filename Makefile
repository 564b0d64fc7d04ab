# make          build the tools into build/bin
# make test     everything: programs that are missing, build, check, tests
# make demo     back up and restore a directory on this machine, step by step
# make storm    shake the backups of several hosts at random, and restore all of it
#
# Programs that are missing are installed on Debian and Ubuntu, and named elsewhere.

PREFIX  ?= /usr/local
DESTDIR ?=
TOOLS    = s3put s3get s3ls s3rm slotcalc pgpipe napback

BIN      = build/bin
BINARIES = $(TOOLS:%=$(BIN)/%)
BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man
SHAREDIR = $(DESTDIR)$(PREFIX)/share/napback
MANUALS  = $(sort $(wildcard man/*.[157]))
# What people can copy; the rest of scripts/ is for work on the tools themselves.
EXAMPLES = $(filter-out scripts/install-deps.sh scripts/check.sh scripts/demo.sh %.go,\
             $(shell find scripts -name testdata -prune -o -type f -print | sort))

# Nobody debugs the development tools, and without what that takes they are built
# sooner. internal/storetest builds with the same flags.
TOOLFLAGS = -gcflags=all=-dwarf=false -ldflags='-s -w'

# A clone that belongs to another user (in a container, say) is built without
# the commit in its version, rather than not at all.
ifneq ($(shell git rev-parse --is-inside-work-tree 2>/dev/null),true)
export GOFLAGS += -buildvcs=false
endif

.PHONY: build test check demo demo-s3 install uninstall clean go-test storm tools linters
.DELETE_ON_ERROR:

build:
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/ $(TOOLS:%=./%)

# -k: a finding of check does not keep the tests from running.
test:
	scripts/install-deps.sh test
	$(MAKE) tools
	$(MAKE) build
	$(MAKE) -j1 -k check go-test

# The race detector needs cgo and gcc; the tools are built without.
go-test:
	CGO_ENABLED=1 go test -race -p 2 -timeout 40m ./...

# So many rounds on each of two stores. Seed 0 is one that nobody has seen; the one
# that was taken is printed.
STORM_ROUNDS ?= 500
STORM_SEED   ?= 0
STORM_STORE  ?=

storm:
	scripts/install-deps.sh test
	STORM_ROUNDS=$(STORM_ROUNDS) STORM_SEED=$(STORM_SEED) STORM_STORE=$(STORM_STORE) \
	    go test -v -count=1 -timeout 8h -run TestStorm ./napback/storm

check:
	scripts/install-deps.sh test
	$(MAKE) linters
	scripts/check.sh

demo:
	scripts/install-deps.sh demo
	$(MAKE) build
	scripts/demo.sh

demo-s3:
	scripts/install-deps.sh demo
	$(MAKE) build
	@mkdir -p build/tools
	CGO_ENABLED=0 go build -C tools $(TOOLFLAGS) -o ../build/tools/ github.com/versity/versitygw/cmd/versitygw
	scripts/demo.sh --s3

# All that tools/go.mod pins: the servers that tests start take minutes to
# build the first time.
tools:
	@mkdir -p build/tools
	CGO_ENABLED=0 go build -C tools $(TOOLFLAGS) -o ../build/tools/ tool

linters:
	@mkdir -p build/tools
	CGO_ENABLED=0 go build -C tools $(TOOLFLAGS) -o ../build/tools/ \
	    honnef.co/go/tools/cmd/staticcheck github.com/OpenPeeDeeP/depguard/v2/cmd/depguard

# Builds only what is not there, so that root needs no Go in `make && sudo make install`.
install:
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

# Removes what install installs and nothing else; folders of ours if they are empty.
uninstall:
	@set -e; for tool in $(TOOLS); do rm -f "$(BINDIR)/$$tool"; done
	@set -e; for page in $(MANUALS); do rm -f "$(MANDIR)/man$${page##*.}/$${page#man/}"; done
	@set -e; for file in $(EXAMPLES); do rm -f "$(SHAREDIR)/$${file#scripts/}"; done
	@if [ -d "$(SHAREDIR)" ]; then \
	    find "$(SHAREDIR)" -depth -type d -exec rmdir {} + 2>/dev/null || true; \
	fi

clean:
	rm -rf build
