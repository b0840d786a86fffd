# The Debian package, by CPack: the binary, the service, its configuration, and what `docs` and sbom.py write. `./dev package`
# builds and proves it.

include(GNUInstallDirs)
set(FILES_FOLDER ${CMAKE_BINARY_DIR}/package)
file(MAKE_DIRECTORY ${FILES_FOLDER})

# package_file(NAME TEXT...): FILES_FOLDER/NAME is what the command TEXT... writes, made after the binary.
function(package_file NAME)
  add_custom_command(OUTPUT ${FILES_FOLDER}/${NAME} DEPENDS progress-agent COMMAND ${ARGN} > ${FILES_FOLDER}/${NAME} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY AGENT_PACKAGE_FILES ${FILES_FOLDER}/${NAME})
endfunction()
package_file(progress-agent.1.gz $<TARGET_FILE:progress-agent> docs man | gzip -9n)
package_file(progress-agent.bash $<TARGET_FILE:progress-agent> docs completion)
package_file(changelog.Debian.gz gzip -9nc ${CMAKE_SOURCE_DIR}/config/debian/changelog)
package_file(sbom.cdx.json /usr/bin/python3 ${CMAKE_SOURCE_DIR}/config/sbom/sbom.py --build ${CMAKE_BINARY_DIR})
get_property(WRITTEN GLOBAL PROPERTY AGENT_PACKAGE_FILES)
add_custom_target(package_files ALL DEPENDS ${WRITTEN})

install(TARGETS progress-agent)
install(FILES ${FILES_FOLDER}/progress-agent.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${FILES_FOLDER}/progress-agent.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME progress-agent)
install(FILES ${FILES_FOLDER}/changelog.Debian.gz ${FILES_FOLDER}/sbom.cdx.json config/debian/copyright
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES config/agent.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES config/systemd/agent.yaml DESTINATION /etc/progress-agent)
install(FILES config/systemd/progress-agent.service DESTINATION /lib/systemd/system)
install(FILES config/systemd/progress-agent.sysusers DESTINATION lib/sysusers.d RENAME progress-agent.conf)
install(FILES config/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME progress-agent)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The progress-agent authors <maintainers@progress-agent.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "progress, ETAs and alerts of batch jobs, for Prometheus")
set(CPACK_PACKAGE_DESCRIPTION
"A small process that runs beside a batch job, hears what the job does, and
says how far it is: how many files are done, how fast it goes, when it will
be ready, what it costs, and what goes wrong. It serves that to Prometheus, to
a browser, and to other programs.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(SCRIPT postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/config/debian/${SCRIPT})
endforeach()
file(WRITE ${FILES_FOLDER}/conffiles "/etc/progress-agent/agent.yaml\n")
list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${FILES_FOLDER}/conffiles)
include(CPack)
