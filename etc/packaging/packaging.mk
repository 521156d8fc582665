# Packages.  What goes into them is what "make install" places, and an
# /etc/usercrash.conf of comments.
#
#   make dist   build/usercrash-VERSION.tar.gz, what the recipes begin with
#   make deb    build/usercrash_VERSION_ARCH.deb, with dpkg-deb alone
#   make rpm    build/rpm/RPMS/ARCH/..., with rpmbuild
#
# For Alpine and Arch copy the tarball beside etc/packaging/apk/APKBUILD or
# etc/packaging/arch/PKGBUILD, put its version there, and run abuild or makepkg.

NAME = usercrash-$(VERSION)

# what is in the tree but what a build made; git is not asked
dist:
	@mkdir -p $(BUILD)
	tar -czf $(BUILD)/$(NAME).tar.gz --owner=0 --group=0 --numeric-owner \
		--exclude-vcs --exclude='*_dbg' $(PROGS:%=--exclude=./bin/%) \
		--transform='s|^\.|$(NAME)|' \
		./Makefile ./README ./bin ./etc ./man ./src ./t

deb: all
	etc/packaging/deb.sh $(BUILD) $(VERSION) $(ARCH)

rpm: dist
	rpmbuild -bb --nodeps --define '_topdir $(abspath $(BUILD)/rpm)' \
		--define '_sourcedir $(abspath $(BUILD))' \
		--define 'usercrash_version $(VERSION)' \
		etc/packaging/rpm/usercrash.spec

.PHONY: dist deb rpm
